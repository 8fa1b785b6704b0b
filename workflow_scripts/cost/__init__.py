"""Operations of training jobs, the speed of this machine, the plan, estimated beside actual costs."""
