"""The additive accuracy predictor: one term a choice, under a link with diminishing returns."""
