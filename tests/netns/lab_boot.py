"""A run of vm-launch in the VM's namespace of a lab."""

import vm


class LabBoot(vm.Boot):
    def __init__(self, lab, folder, *arguments, **options):
        super().__init__(folder, *arguments, capture=False, **options)
        self.lab = lab

    def command(self):
        return self.lab.inside(*super().command())
