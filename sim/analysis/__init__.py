"""Tables in, tables out: curves, summaries. Nothing here touches the model."""
