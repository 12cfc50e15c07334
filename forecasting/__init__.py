"""Demand three days ahead: calendar, features, model, intervals, backtest; and the stock that follows."""
