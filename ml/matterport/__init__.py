"""Weights of Matterport's Mask R-CNN (Keras, HDF5): their layout, a careful reader, the way into a bundle."""
