"""Forms for the rows of a document: their fields follow from the columns in `configs.models`."""
