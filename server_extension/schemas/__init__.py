"""Request and response models, one module per resource; OpenAPI is made from them."""
