"""Lending people between regions: who works where on which day."""
