"""What is told of the records: the outline of a report, and diagrams as text."""
