"""What the pages share: launching, navigation, state, inert text, figures. Nothing imports it."""
