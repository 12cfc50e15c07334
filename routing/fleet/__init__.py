"""What other planners' formats have in common: vehicles and tasks, planned through the day problem."""
