"""Scenarios: what they may say (`schema`), reading and writing them (`loading`), what is wrong (`errors`)."""
