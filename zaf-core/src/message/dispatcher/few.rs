//! A list that nearly always has one element.

/// The first element needs no memory of its own: a queue that has just been filled is as few cache lines as can be.
#[derive(Debug)]
pub(super) struct Few<T> {
    first: Option<T>,
    /// Empty as long as there is no first one.
    more: Vec<T>,
}

impl<T> Few<T> {
    pub(super) fn new() -> Self {
        Self {
            first: None,
            more: Vec::new(),
        }
    }

    #[inline]
    pub(super) fn len(&self) -> usize {
        usize::from(self.first.is_some()) + self.more.len()
    }

    #[inline]
    pub(super) fn get(&self, at: usize) -> Option<&T> {
        match at.checked_sub(1) {
            None => self.first.as_ref(),
            Some(at) => self.more.get(at),
        }
    }

    #[inline]
    pub(super) fn get_mut(&mut self, at: usize) -> Option<&mut T> {
        match at.checked_sub(1) {
            None => self.first.as_mut(),
            Some(at) => self.more.get_mut(at),
        }
    }

    #[inline]
    pub(super) fn push(&mut self, element: T) {
        if self.first.is_none() {
            self.first = Some(element);
        } else {
            self.more.push(element);
        }
    }

    pub(super) fn clear(&mut self) {
        self.first = None;
        self.more.clear();
    }

    /// Takes all elements out.
    #[inline]
    pub(super) fn drain(&mut self) -> impl Iterator<Item = T> {
        self.first.take().into_iter().chain(self.more.drain(..))
    }

    /// The place of the first element for which that is so.
    pub(super) fn position(&mut self, is_it: impl FnMut(&mut T) -> bool) -> Option<usize> {
        self.first.iter_mut().chain(&mut self.more).position(is_it)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_elements_are_a_list() {
        let mut few = Few::new();
        assert_eq!((few.len(), few.get(0)), (0, None));
        for number in 0..4 {
            few.push(number);
            assert_eq!(few.len(), number + 1);
            assert_eq!(few.position(|one| *one == number), Some(number));
        }
        assert_eq!(few.position(|one| *one == 4), None);
        *few.get_mut(2).unwrap() = 7;
        assert_eq!((few.get(2), few.get(4)), (Some(&7), None));
        assert_eq!(few.drain().collect::<Vec<_>>(), [0, 1, 7, 3]);
        assert_eq!(few.len(), 0);
        few.push(5);
        assert_eq!(few.get(0), Some(&5));
        few.clear();
        assert_eq!(few.get_mut(0), None);
    }
}
