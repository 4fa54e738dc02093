"""What is derived: rules, local derivatives, gradients, their story and their text, and the numbers of every step."""
