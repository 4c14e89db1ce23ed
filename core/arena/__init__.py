"""Models side by side: comparisons, duels, votes, rankings, batches."""
