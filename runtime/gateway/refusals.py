"""Refusals that only programs meet: the kiosk's page never asks for what they refuse."""

from __future__ import annotations

from runtime.problems import ProblemKind

UNKNOWN_FORM = ProblemKind("unknown-form", 422, "The station knows no form of that name", "本机没有该名称的表单")
NO_FORM = ProblemKind("no-form", 422, "The page is none of the station's forms", "该页不是已知的证件或票据")
