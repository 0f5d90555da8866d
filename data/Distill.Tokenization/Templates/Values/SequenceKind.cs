namespace Distill.Tokenization.Templates.Values;

internal enum SequenceKind
{
    List,
    Tuple,
    Keys,
    Values,
    Items,
}
