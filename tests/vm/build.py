# SPDX-License-Identifier: GPL-2.0-or-later
"""Makes the guest: a Debian tree, its kernel, a small initial RAM disk, a disk image. As root, once per recipe."""
import os
import shutil
import subprocess
import urllib.error
import urllib.request

import recipe


class BuildFailed(Exception):
    pass


def run(*command, log, **options):
    """A step of the build; its output goes to the log, whose end the error shows."""
    with open(log, "a", encoding="utf-8") as file:
        file.write(f"+ {' '.join(map(str, command))}\n")
        file.flush()
        done = subprocess.run([*map(str, command)], stdin=subprocess.DEVNULL, stdout=file, stderr=file, check=False,
                              **options)
    if done.returncode != 0:
        end = "\n".join(log.read_text(errors="replace").splitlines()[-15:])
        raise BuildFailed(f"{command[0]} failed:\n{end}")


def write(root, place, text):
    path = root / place.lstrip("/")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def mask(root, place):
    path = root / place.lstrip("/")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    path.symlink_to("/dev/null")


def configure(root):
    """A Debian tree becomes a guest that runs tests."""
    for unit in recipe.MASKED_UNITS:
        mask(root, f"/etc/systemd/system/{unit}")
    for generator in recipe.MASKED_GENERATORS:
        mask(root, f"/etc/systemd/system-generators/systemd-{generator}-generator")
    for link in (root / "etc/systemd/system").glob("*.wants/*"):
        if link.stem in recipe.DISABLED_SERVICES:
            link.unlink()
    for name, (place, mode) in recipe.INSTALLED.items():
        path = root / place.lstrip("/")
        path.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(recipe.GUEST / name, path)
        path.chmod(mode)
    default = root / "etc/systemd/system/default.target"
    default.unlink(missing_ok=True)
    default.symlink_to("vmtest.target")
    for place, text in recipe.FILES.items():
        write(root, place, text)


def modules_for(root, version, names):
    """Files of the modules and of all they need, in the order of loading."""
    files = []
    for name in names:
        shown = subprocess.run(["modprobe", "-S", version, "-d", root, "--show-depends", name], check=False,
                               stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        for line in shown.stdout.splitlines():  # "insmod FILE" or "builtin NAME"
            words = line.split()
            if words[0] == "insmod" and words[1] not in files:
                files.append(words[1])
    return files


def make_initrd(root, version, work, target, log):
    for name in ("bin", "modules", "dev", "proc", "root"):
        (work / name).mkdir(parents=True)
    shutil.copy(root / "bin/busybox", work / "bin/busybox")
    for applet in ("sh", "mount", "umount", "insmod", "switch_root", "sleep"):
        (work / "bin" / applet).symlink_to("busybox")
    shutil.copy(recipe.GUEST / "init", work / "init")
    files = modules_for(root, version, recipe.INITRD_MODULES)
    for file in files:
        shutil.copy(file, work / "modules")
    (work / "modules/list").write_text("".join(os.path.basename(file) + "\n" for file in files))
    run("sh", "-c", f"find . | cpio -o -H newc -R 0:0 --quiet >{target}", log=log, cwd=work)


def build(target):
    """Leaves vmlinuz, initrd and root.img in the directory, which must exist. Raises BuildFailed."""
    log = target / "build.log"
    work = target / "work"
    root = work / "root"
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir()
    run("mmdebstrap", "--variant=minbase", "--components=main", "--mode=root", "--format=directory",
        f"--include={','.join(recipe.PACKAGES)}", *(f"--dpkgopt=path-exclude={path}" for path in recipe.EXCLUDE),
        '--aptopt=Apt::Install-Recommends "false"', f"--customize-hook={recipe.GUEST / 'fetch-kernel'}",
        recipe.SUITE, root, log=log)
    run("dpkg-deb", "-x", root / "kernel.deb", work / "kernel", log=log)
    (root / "kernel.deb").unlink()
    version = next(path.name for path in (work / "kernel/lib/modules").iterdir())
    shutil.copytree(work / f"kernel/lib/modules/{version}", root / f"usr/lib/modules/{version}", symlinks=True)
    shutil.copy(work / f"kernel/boot/config-{version}", root / "boot")
    run("depmod", "-b", root, version, log=log)
    configure(root)
    shutil.copy(work / f"kernel/boot/vmlinuz-{version}", target / "vmlinuz")
    make_initrd(root, version, work / "initrd", target / "initrd", log)
    run("mke2fs", "-q", "-t", "ext4", "-O", "^has_journal", "-E", "lazy_itable_init=1,root_owner=0:0", "-m", "0",
        "-d", root, target / "root.img", recipe.IMAGE_SIZE, log=log)
    shutil.rmtree(work)


def missing():
    """What this machine lacks for it, or None."""
    tools = ["mmdebstrap", "mke2fs", "cpio", "depmod", "modprobe", "dpkg-deb"]
    path = os.environ.get("PATH", "") + ":/usr/sbin:/sbin"
    lacks = [tool for tool in tools if not shutil.which(tool, path=path)]
    if lacks:
        return f"not installed: {', '.join(lacks)}"
    if os.geteuid() != 0:
        return "building the guest needs root"
    return None


def is_offline():
    """Whether Debian's archive cannot be reached."""
    try:
        with urllib.request.urlopen(f"{recipe.ARCHIVE}/dists/{recipe.SUITE}/Release", timeout=20) as answer:
            return not answer.read(1)
    except (urllib.error.URLError, OSError):
        return True
