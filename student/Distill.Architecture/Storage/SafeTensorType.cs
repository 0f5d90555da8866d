namespace Distill.Architecture;

/// <summary>Element types of the safetensors format that have a whole number of bytes.</summary>
public enum SafeTensorType
{
    Boolean,
    UInt8,
    Int8,
    Float8E4M3,
    Float8E5M2,
    Int16,
    UInt16,
    Float16,
    BFloat16,
    Int32,
    UInt32,
    Float32,
    Int64,
    UInt64,
    Float64,
}
