namespace Distill.Tokenization.Templates.Syntax;

internal enum SegmentKind
{
    Data,
    Output,
    Block,
}
