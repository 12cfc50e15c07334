"""Day plans: travel times, problem, solve, check, explain; and lending people between regions."""
