"""Pod life without containers, all pure: what a pod's next state is and when it is due.

``rules`` says what a profile may ask for, ``containers`` moves one container on, ``pods`` makes a pod's status of its
containers, ``life`` puts them together.
"""
