import os
def work(path):
    os.symlink("allowed work", path)
