"""What ships with the product: the success-case library and the sample organisation, with their data cards."""
