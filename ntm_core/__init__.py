"""The Neural Turing Machine of NTM Scope: the machine, its traces, its tasks and its training.

How data flows: a `MachineConfig` fixes every open choice; a `Machine` holds parameters and nothing else;
`Machine.step(inputs, state)` returns a `StepResult`, which carries the next `MachineState`. Running a whole
sequence is a loop over `step`; a `Recording` is the same loop, copying each result into one preallocated
array of step records, from which a `Trace` is made. A `Trace` is plain numpy and is never changed.
"""
