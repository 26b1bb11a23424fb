"""The loop that trains what it needs to know: propose, train, refit, until the decision stands.

`rounds` runs it over any trainer and any fit under its `terms`, `stopping` says when it has looked
enough, `record` is what it writes before and after every round, `of_recipe` ties them to a
workspace.
"""
