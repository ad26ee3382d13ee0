"""Beside old code: it cannot open what is sealed, so codes are refused by what still runs it, until that has ended."""

from django.db import migrations

SECRETS = {"totp": "secret", "recovery_codes": "seed"}


def seal(apps, schema_editor):
    """Seal the secrets of apps and recovery codes that were kept in the clear."""
    from ims_portal import kept_secrets

    keeper = kept_secrets.keeper("ims_portal.second_factor")
    for row in apps.get_model("mfa", "Authenticator").objects.filter(type__in=SECRETS):
        name = SECRETS[row.type]
        if name in row.data:
            row.data[name] = keeper.encrypt(row.data[name].encode()).decode()
            row.save(update_fields=["data"])


class Migration(migrations.Migration):

    dependencies = [
        ('ims_portal', '0012_administrators_programs_hand_in_feeds'),
        ('mfa', '0003_authenticator_type_uniq'),
    ]

    operations = [migrations.RunPython(seal, migrations.RunPython.noop)]
