namespace Distill.Export.Onnx;

/// <summary>TensorProto.DataType, as far as it is used here.</summary>
public enum OnnxElementType
{
    Float = 1,
    UInt8 = 2,
    Int32 = 6,
    Int64 = 7,
    Float16 = 10,
}
