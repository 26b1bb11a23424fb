"""The loop that trains what it needs to know: propose, train, refit, until the decision stands.

`rounds` runs it over any trainer and any fit, `record` is what it writes before and after every
round, `of_recipe` ties both to a workspace.
"""
