"""Interventions: changes to what a machine computes, told as data and made while it runs."""

from ntm_core.errors import InterventionError
from ntm_core.interventions.difference import first_difference
from ntm_core.interventions.editor import Editor, StepEditor, allow, refuse
from ntm_core.interventions.intervention import Intervention
from ntm_core.interventions.modes import MODES, AddressingMode, ModeName, expanded
from ntm_core.interventions.program import may_violate
from ntm_core.interventions.rules import Violation

__all__ = [
    "MODES",
    "AddressingMode",
    "Editor",
    "Intervention",
    "InterventionError",
    "ModeName",
    "StepEditor",
    "Violation",
    "allow",
    "expanded",
    "first_difference",
    "may_violate",
    "refuse",
]
