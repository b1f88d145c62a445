from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.forms import modelform_factory
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST

from .models import Comment, Post

PostForm = modelform_factory(Post, fields=["title", "text"])
CommentForm = modelform_factory(Comment, fields=["text"])


@login_required
def board(request):
    posts = Post.objects.select_related("author").prefetch_related("comments__author")[:50]
    return render(request, "board/board.html", {"posts": posts})


@login_required
@require_POST
def add_post(request):
    return save(request, PostForm(request.POST, instance=Post(author=request.user)))


@login_required
@require_POST
def add_comment(request, pk):
    comment = Comment(author=request.user, post=get_object_or_404(Post, pk=pk))
    return save(request, CommentForm(request.POST, instance=comment))


def save(request, form):
    if form.is_valid():
        form.save()
    else:
        for field, errors in form.errors.items():
            messages.error(request, f"{field}: {' '.join(errors)}")
    return redirect("board")
