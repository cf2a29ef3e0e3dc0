"""What is right and wrong with a gateway, from the clock to the broker, each with a next step.

Every check has a thin part that gathers facts and a pure one that judges them. Nothing is changed,
nothing is sent to a machine, and what this user may not see is named instead of guessed.
"""
