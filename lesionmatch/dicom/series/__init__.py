"""Headers into series: grouped, checked, told apart, and what each was taken for."""
