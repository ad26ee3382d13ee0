"""Beside old code: it writes nothing outside these bounds; each table is read once meanwhile, and its writers wait."""

from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('ims_portal', '0012_administrators_programs_hand_in_feeds'),
        ('invoices', '0026_what_was_filed_is_kept'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddConstraint(
            model_name='actionevent',
            constraint=models.CheckConstraint(condition=models.Q(('declared_igst__gte', 0), ('declared_igst__lte', 999999999999999), ('declared_cgst__gte', 0), ('declared_cgst__lte', 999999999999999), ('declared_sgst__gte', 0), ('declared_sgst__lte', 999999999999999), ('declared_cess__gte', 0), ('declared_cess__lte', 999999999999999)), name='event_declarations_in_bounds'),
        ),
        migrations.AddConstraint(
            model_name='actionfilerow',
            constraint=models.CheckConstraint(condition=models.Q(('said_taxable__gte', -999999999999999), ('said_taxable__lte', 999999999999999), ('said_igst__gte', -999999999999999), ('said_igst__lte', 999999999999999), ('said_cgst__gte', -999999999999999), ('said_cgst__lte', 999999999999999), ('said_sgst__gte', -999999999999999), ('said_sgst__lte', 999999999999999), ('said_cess__gte', -999999999999999), ('said_cess__lte', 999999999999999), ('declared_igst__gte', -999999999999999), ('declared_igst__lte', 999999999999999), ('declared_cgst__gte', -999999999999999), ('declared_cgst__lte', 999999999999999), ('declared_sgst__gte', -999999999999999), ('declared_sgst__lte', 999999999999999), ('declared_cess__gte', -999999999999999), ('declared_cess__lte', 999999999999999)), name='asked_amounts_in_bounds'),
        ),
        migrations.AddConstraint(
            model_name='billofentry',
            constraint=models.CheckConstraint(condition=models.Q(('taxable__gte', 0), ('taxable__lte', 999999999999999), ('igst__gte', 0), ('igst__lte', 999999999999999), ('cess__gte', 0), ('cess__lte', 999999999999999), ('original_taxable__gte', 0), ('original_taxable__lte', 999999999999999), ('original_igst__gte', 0), ('original_igst__lte', 999999999999999), ('original_cess__gte', 0), ('original_cess__lte', 999999999999999)), name='bill_amounts_in_bounds'),
        ),
        migrations.AddConstraint(
            model_name='booked',
            constraint=models.CheckConstraint(condition=models.Q(('claimed_igst__gte', -999999999999999), ('claimed_igst__lte', 999999999999999), ('claimed_cgst__gte', -999999999999999), ('claimed_cgst__lte', 999999999999999), ('claimed_sgst__gte', -999999999999999), ('claimed_sgst__lte', 999999999999999), ('claimed_cess__gte', -999999999999999), ('claimed_cess__lte', 999999999999999)), name='claims_in_bounds'),
        ),
    ]
