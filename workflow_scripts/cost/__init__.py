"""Operations of training jobs, the speed of this machine, the plan, estimates against what it took."""
