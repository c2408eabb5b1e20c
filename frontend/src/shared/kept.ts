// What a view keeps while it is closed: each time that it is opened, it is a new element.
export class Kept<T> {
  constructor(public value: T) {}
}
