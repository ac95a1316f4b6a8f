"""What people see: pictures, the summary on screen, biographies, generated documents. No logic of its own.

In: tables and what `analysis` and `theory` made of them.
Out: pictures, sentences and pages.
"""
