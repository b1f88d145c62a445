from django.urls import path

from . import views

urlpatterns = [
    path("", views.board, name="board"),
    path("posts/", views.add_post, name="add-post"),
    path("posts/<int:pk>/comments/", views.add_comment, name="add-comment"),
]
