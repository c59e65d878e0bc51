"""What the HTTP interface promises: by the table of who may do what, and by its OpenAPI documents."""
