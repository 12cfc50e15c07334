"""The sample organisation: an invented company in Chengdu with people, customers, visits, stock and demand."""

from training_data.sample_organisation.make import SampleOrganisation, make_sample

__all__ = ["SampleOrganisation", "make_sample"]
