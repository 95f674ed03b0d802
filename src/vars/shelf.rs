//! `Shelf`: an immutable vector of many slots where changing one copies O(log n), never the whole. (The persistent vectors on
//! offer are under licences that this project does not take.)

use std::sync::Arc;

const BITS: usize = 5;
const WIDTH: usize = 1 << BITS;

/// A tree of 32-way nodes; what was never set is `None`.
pub(super) struct Shelf<T> {
    root: Node<T>,
    /// Levels of branches above the leaves.
    height: usize,
}

enum Node<T> {
    Empty,
    Branch(Arc<[Node<T>; WIDTH]>),
    Leaf(Arc<T>),
}

impl<T> Clone for Node<T> {
    fn clone(&self) -> Self {
        match self {
            Self::Empty => Self::Empty,
            Self::Branch(nodes) => Self::Branch(Arc::clone(nodes)),
            Self::Leaf(item) => Self::Leaf(Arc::clone(item)),
        }
    }
}

impl<T> Clone for Shelf<T> {
    fn clone(&self) -> Self {
        Self { root: self.root.clone(), height: self.height }
    }
}

impl<T> Default for Shelf<T> {
    fn default() -> Self {
        Self { root: Node::Empty, height: 0 }
    }
}

impl<T> Shelf<T> {
    /// What is in slot `index`.
    pub fn get(&self, index: usize) -> Option<&Arc<T>> {
        if self.height == 0 || index >> (BITS * self.height) != 0 {
            return None;
        }
        let mut node = &self.root;
        for level in (0..self.height).rev() {
            let Node::Branch(nodes) = node else { return None };
            node = &nodes[(index >> (BITS * level)) % WIDTH];
        }
        match node {
            Node::Leaf(item) => Some(item),
            Node::Empty | Node::Branch(_) => None,
        }
    }

    /// Puts `item` into slot `index`; other holders of this shelf do not see it.
    pub fn set(&mut self, index: usize, item: Arc<T>) {
        while self.height == 0 || index >> (BITS * self.height) != 0 {
            let below = std::mem::replace(&mut self.root, Node::Empty);
            if !matches!(below, Node::Empty) {
                let mut nodes = empty();
                nodes[0] = below;
                self.root = Node::Branch(Arc::new(nodes));
            }
            self.height += 1;
        }
        let mut node = &mut self.root;
        for level in (0..self.height).rev() {
            if let Node::Empty | Node::Leaf(_) = node {
                *node = Node::Branch(Arc::new(empty()));
            }
            let Node::Branch(nodes) = node else { return };
            node = &mut Arc::make_mut(nodes)[(index >> (BITS * level)) % WIDTH];
        }
        *node = Node::Leaf(item);
    }
}

fn empty<T>() -> [Node<T>; WIDTH] {
    std::array::from_fn(|_| Node::Empty)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn old_holders_keep_what_they_had() {
        let mut shelf = Shelf::default();
        for index in (0..40_000).step_by(7) {
            shelf.set(index, Arc::new(index));
        }
        let old = shelf.clone();
        shelf.set(7, Arc::new(0));
        shelf.set(2_000_000, Arc::new(1));
        assert_eq!((old.get(7).map(|item| **item), shelf.get(7).map(|item| **item)), (Some(7), Some(0)));
        assert_eq!((old.get(2_000_000), shelf.get(2_000_000).is_some(), shelf.get(8)), (None, true, None));
        assert!((0..40_000).step_by(7).all(|index| old.get(index).is_some_and(|item| **item == index)));
    }
}
