"""The page that does in a browser what the commands build, exercise and check do; `make page` puts it together."""
