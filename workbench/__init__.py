"""World Model Workbench: explore what video and world models do with a prompt."""
