using Distill.Tokenization.PreTokenizers;

namespace Distill.Tokenization.AddedTokens;

/// <summary>An added token, or where there is none ordinary text, normalised.</summary>
internal readonly record struct CutPiece(AddedToken? Token, Piece Text);
