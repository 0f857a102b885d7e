"""What the headers of a PET say about SUV."""
