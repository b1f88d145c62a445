from django.contrib.auth.models import AbstractUser
from django.db import models


class User(AbstractUser):
    """One whose primary key has 64 bits."""

    id = models.BigAutoField(primary_key=True)
