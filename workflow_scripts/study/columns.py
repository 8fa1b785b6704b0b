"""The names of the columns of results tables. Light on purpose: the Snakefile's checks use them at parse time."""

SCORE = "top1_best10_mean"  # the paper's score: the mean of the ten best validation readings of top-1 accuracy
PER_CLASS = "top1_per_class_mean"  # of the same readings: the mean over classes of the share of right answers
REQUIRED_COLUMNS = ("partition", "source", "target", "depth", "treatment", SCORE)  # of a table from elsewhere
PRINTED_COLUMNS = ("quantity", "percent", "source")  # of the table of numbers printed in the paper

NETWORK_COLUMNS = ["partition", "source", "target", "depth", "treatment", "seed"]
VARIANT_COLUMNS = ["preserve", "init", "norm_statistics"]
RATE = "learning_rate"  # text; "" in tables from elsewhere
KEY_COLUMNS = [*NETWORK_COLUMNS, *VARIANT_COLUMNS, RATE]  # together they name one network
HELD_OUT = "held_out_top1"  # as SCORE, of training images that no network trains on; they choose a learning rate
RESULT_COLUMNS = [
    *NETWORK_COLUMNS,
    *("iterations", SCORE, PER_CLASS, "top1_last", "top5_last", "loss_last", "diverged", "diverged_cause"),
    *VARIANT_COLUMNS,
    *(RATE, HELD_OUT),
    *("pair", "classes", "train_images", "val_images", "majority_share", "weights_sha256"),
    *("job_seconds", "images_per_second"),
]
READING_COLUMNS = [*KEY_COLUMNS, *("iteration", "top1", PER_CLASS, "top5", "loss", "train_loss")]
DISTANCE_COLUMNS = [*KEY_COLUMNS, *("unit_number", "unit", "distance")]
PROBE_COLUMNS = [
    *("partition", "pair", "source", "target", "seed"),
    *("depth", "unit"),  # no depth: the probe on the features of all depths together
    *("features", "penalty", "held_out_top1"),
    *("top1", "top1_low", "top1_high", "top1_per_class_mean", "top5", "loss"),
    *("last_gap", "last_gap_low", "last_gap_high"),  # above the deepest unit
    *("together_gap", "together_gap_low", "together_gap_high"),  # of all depths together above this one
    *("classes", "train_images", "val_images", "majority_share", "diverged"),
    *("parameters_share", "multiplications_share", "milliseconds"),
]
