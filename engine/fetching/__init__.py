"""What `engine.hub` stands on: requests, parts of files, and folders that grow until they are whole."""
