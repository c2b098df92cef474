"""The HTTP server: a mixture as one more model of the OpenAI protocol."""
