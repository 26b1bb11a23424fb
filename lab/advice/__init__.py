"""From a few proxy runs to a mixture one can defend: design, laws, fit, optimise, advise."""
