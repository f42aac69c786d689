"""What editors share that learn, once per backbone, how to edit."""

from abc import abstractmethod
from collections.abc import Sequence
from typing import Any

from torch import nn

from crossedit.backbones.backbone import Backbone
from crossedit.edits.editors.interface import Editor, Materials
from crossedit.edits.training.examples import Example
from crossedit.edits.training.loop import Learner
from crossedit.errors import UserError


class TrainedEditor(Editor):
    """An editor whose network is an artefact of its own (`crossedit edits train`)."""

    def __init__(self, hparams: Any, materials: Materials) -> None:
        super().__init__(hparams, materials)
        self._network: tuple[Backbone, nn.Module] | None = None

    @abstractmethod
    def network(self, backbone: Backbone, seed: int) -> nn.Module:
        """Return the network as it is before training."""

    @abstractmethod
    def learner(
        self, backbone: Backbone, training: Sequence[Example], validation: Sequence[Example], seed: int
    ) -> Learner:
        """Return what trains the network on these facts."""

    def trained_network(self, backbone: Backbone) -> Any:
        """Return the trained network. Raises UserError where there is none, or one for something else."""
        name = type(self).__name__
        if self.materials.trained is None:
            raise UserError(f"editors: {name} has to be trained first; run `crossedit edits train`.")
        if self._network is None or self._network[0] is not backbone:
            network = self.network(backbone, seed=0)
            self.materials.trained.fill(network, name, backbone.digest)
            self._network = backbone, network.eval().requires_grad_(False)
        return self._network[1]
