"""The rules of a day plan by name, one function each."""
