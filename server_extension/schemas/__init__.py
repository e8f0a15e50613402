"""What the endpoints take and answer, one module per resource; OpenAPI is made from the models."""
