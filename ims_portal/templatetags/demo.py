"""What only a demo's pages show."""

from __future__ import annotations

from django import template

from ims_portal import demo_codes
from ims_portal.demo_codes import Code
from ims_portal.models import User

register = template.Library()


@register.simple_tag
def demo_code(user: User | None) -> Code | None:
    """Return the code somebody of a demo is asked for now; None for everybody else and everywhere else."""
    return demo_codes.shown(user)
