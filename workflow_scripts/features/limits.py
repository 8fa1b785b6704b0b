"""What the features need of a study. Light: figures read it without torch."""

FEWEST_IMAGES = 4  # validation images of a target, for the unbiased estimator that CKA uses
