namespace Distill.Tokenization.Templates;

/// <summary>A part of rendered text: written by the template, or taken from the messages.</summary>
internal readonly record struct TemplatePiece(string Text, bool FromMessages);
