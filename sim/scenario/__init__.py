"""Scenarios: what they may say (`schema`), reading and writing them (`loading`), what is wrong (`errors`).

In: YAML files, overrides, and the cited figures of `seeds/`.
Out: a frozen, validated Scenario in which every number knows its source; or problems with their places.
"""
