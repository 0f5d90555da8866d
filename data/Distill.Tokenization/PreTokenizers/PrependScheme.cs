namespace Distill.Tokenization.PreTokenizers;

/// <summary>Where Metaspace puts a mark in front.</summary>
internal enum PrependScheme
{
    /// <summary>Each piece of text between added tokens.</summary>
    Always,

    /// <summary>The very start of the text.</summary>
    First,

    Never,
}
